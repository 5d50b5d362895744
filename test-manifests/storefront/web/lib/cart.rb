# What a visitor or customer means to buy, and what it comes to.
class Cart
  SHIPPING_CENTS = 495
  FREE_SHIPPING_FROM_CENTS = 5000

  attr_reader :id

  # A customer's cart follows the account, a visitor's the session token.
  def self.for(customer, token)
    owner = customer ? { customer_id: customer[:id] } : { token: }
    raise Refused.new("Your session has ended. Please reload the page.", status: 400) if owner.value?(nil)

    DB[:carts].insert_conflict.insert(owner)
    new(DB[:carts].where(owner).get(:id))
  end

  def initialize(id)
    @id = id
  end

  def lines
    DB[:cart_lines].join(:products, id: :product_id).where(cart_id: id).order(:added_at)
                   .select(:product_id, :slug, :name, :price_cents, :stock, :quantity).all
  end

  def count = DB[:cart_lines].where(cart_id: id).sum(:quantity) || 0

  def add(product_id, quantity)
    change(product_id, (DB[:cart_lines].where(cart_id: id, product_id:).get(:quantity) || 0) + quantity)
  end

  def change(product_id, quantity)
    raise Refused, "Please give a quantity of at least 1." if quantity < 1

    product = DB[:products].where(id: product_id, visible: true).first
    raise Refused.new("There is no such product.", status: 404) unless product
    raise Refused, "Only #{product[:stock]} in stock." if quantity > product[:stock]

    DB[:cart_lines].insert_conflict(target: %i[cart_id product_id], update: { quantity: })
                   .insert(cart_id: id, product_id:, quantity:)
  end

  def remove(product_id)
    DB[:cart_lines].where(cart_id: id, product_id:).delete
  end

  def clear
    DB[:cart_lines].where(cart_id: id).delete
    DB[:carts].where(id:).update(discount_code: nil)
  end

  def apply_discount(code)
    discount = DB[:discounts].where(code: code.to_s.strip.upcase).first
    raise Refused, "We do not know this code." unless discount
    raise Refused, "This code has expired." if discount[:expires_on] && discount[:expires_on] < Date.today

    DB[:carts].where(id:).update(discount_code: discount[:code])
  end

  def drop_discount
    DB[:carts].where(id:).update(discount_code: nil)
  end

  # Moves what a visitor collected into this cart; never more than there is in stock.
  def take_over(other)
    other.lines.each do |line|
      wanted = line[:quantity] + (DB[:cart_lines].where(cart_id: id, product_id: line[:product_id]).get(:quantity) || 0)
      change(line[:product_id], [wanted, line[:stock]].min) if line[:stock].positive?
    end
    code = DB[:carts].where(id: other.id).get(:discount_code)
    DB[:carts].where(id:).update(discount_code: code) if code
    DB[:carts].where(id: other.id).delete
  end

  def totals(lines = self.lines)
    counted = Faults.open?("bug") ? lines.first(2) : lines # fault bug: from the third line on nothing is charged
    subtotal = counted.sum { |line| line[:price_cents] * line[:quantity] }
    discount = DB[:carts].join(:discounts, code: :discount_code).where(id:).select(:code, :percent).first
    off = discount ? (subtotal * discount[:percent] / 100.0).round : 0
    shipping = lines.empty? || subtotal - off >= FREE_SHIPPING_FROM_CENTS ? 0 : SHIPPING_CENTS
    { subtotal_cents: subtotal, discount_code: discount && discount[:code], discount_cents: off,
      shipping_cents: shipping, total_cents: subtotal - off + shipping }
  end
end
