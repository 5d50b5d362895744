# Turning carts into orders, and what becomes of them.
module Orders
  DECLINED_CARD = "4000000000000002".freeze

  module_function

  # The key is made by the checkout page. However often it is sent, there is one order for it.
  def place(customer, cart, details, key:)
    check(details)
    number = DB.transaction do
      earlier = guard(cart, key)
      next earlier if earlier

      lines = cart.lines
      raise Refused, "Your cart is empty." if lines.empty?

      Faults.window("double-submit", 0.5)
      lines.each { |line| take_stock(line) }
      create(customer, cart, lines, details, key:)
    end
    Faults.window("double-submit", 0.5) # the answer waits for a slow mail server, and the customer sees an idle button
    number
  end

  def guard(cart, key)
    return if Faults.open?("double-submit") # fault double-submit: neither the lock nor the key stops the second order

    DB[:carts].where(id: cart.id).for_update.first
    key && DB[:orders].where(idempotency_key: key).get(:number)
  end

  def take_stock(line)
    return take_stock_unlocked(line) if Faults.open?("lost-update")

    enough = Sequel[:stock] >= line[:quantity]
    taken = DB[:products].where(id: line[:product_id]).where(enough).update(stock: Sequel[:stock] - line[:quantity])
    raise sold_out(line) if taken.zero?
  end

  # Fault lost-update: read, think, write. Two buyers who read the same number both write it less their own share.
  def take_stock_unlocked(line)
    stock = DB[:products].where(id: line[:product_id]).get(:stock)
    raise sold_out(line) if stock < line[:quantity]

    Faults.window("lost-update", 0.8)
    DB[:products].where(id: line[:product_id]).update(stock: stock - line[:quantity])
  end

  def create(customer, cart, lines, details, key:)
    number = "SF-#{SecureRandom.alphanumeric(8).upcase}"
    totals = cart.totals(lines).slice(:subtotal_cents, :discount_cents, :shipping_cents, :total_cents)
    address = details.slice(:recipient, :street, :city, :postcode).transform_values(&:strip)
    id = DB[:orders].insert(number:, customer_id: customer[:id], idempotency_key: key, **totals, **address)
    DB[:order_lines].multi_insert(lines.map { |line| line.slice(:product_id, :name, :price_cents, :quantity).merge(order_id: id) })
    cart.clear
    number
  end

  def check(details)
    missing = %i[recipient street city postcode].select { |field| details[field].to_s.strip.empty? }
    raise Refused, "Please fill in: #{missing.join(', ')}." if missing.any?

    card = details[:card].to_s.delete(" ")
    raise Refused, "Please check the card number." unless card.match?(/\A\d{16}\z/)
    raise Refused, "The bank declined this card." if card == DECLINED_CARD
  end

  def sold_out(line) = Refused.new("#{line[:name]} has just been sold out.", status: 409)

  def of(customer) = summaries.where(customer_id: customer[:id]).all

  def latest(status: nil, limit: 50)
    status ? summaries.where(status:).limit(limit).all : summaries.limit(limit).all
  end

  def summaries = DB[:orders].reverse(:placed_at).select(:number, :status, :total_cents, :recipient, :placed_at)

  # Somebody else's order looks exactly like one that does not exist.
  def find(number, customer: nil)
    orders = DB[:orders].where(number:)
    orders = orders.where(customer_id: customer[:id]) unless customer.nil? || customer[:admin]
    order = orders.first or raise Refused.new("There is no such order.", status: 404)
    order.except(:idempotency_key, :customer_id)
         .merge(lines: DB[:order_lines].where(order_id: order[:id]).select(:name, :price_cents, :quantity).order(:product_id).all)
  end

  def dispatch(number)
    changed = DB[:orders].where(number:, status: "placed").update(status: "dispatched")
    raise Refused.new("Only a placed order can be dispatched.", status: 409) if changed.zero?
  end

  # Gives the goods back to the shelf, once.
  def cancel(number)
    DB.transaction do
      changed = DB[:orders].where(number:, status: "placed").returning(:id).update(status: "cancelled")
      raise Refused.new("Only a placed order can be cancelled.", status: 409) if changed.empty?

      DB[:order_lines].where(order_id: changed.first[:id]).each do |line|
        DB[:products].where(id: line[:product_id]).update(stock: Sequel[:stock] + line[:quantity])
      end
    end
  end

  # Products sold in the last day, the most recent sale first.
  def sales
    DB[:order_lines].join(:orders, id: :order_id).exclude(status: "cancelled")
                    .where(Sequel[:placed_at] > Sequel.lit("now() - interval '1 day'"))
                    .group(:product_id, Sequel[:order_lines][:name]).reverse { max(:placed_at) }.limit(50)
                    .select(Sequel[:order_lines][:name]) { [sum(:quantity).as(:sold), sum(price_cents * quantity).as(:revenue_cents)] }.all
  end
end
