class Storefront
  before("/api/admin/*") { need_admin! }

  helpers do
    def product_fields
      fields = body_json.slice(:name, :description, :price_cents, :stock, :visible, :category_id)
      raise Refused, "A product needs a name." if fields.key?(:name) && fields[:name].to_s.strip.empty?
      raise Refused, "The price must be more than zero." if fields.key?(:price_cents) && !fields[:price_cents].to_i.positive?
      raise Refused, "The stock cannot be negative." if fields.key?(:stock) && fields[:stock].to_i.negative?

      fields
    end

    def stored_product
      DB[:products].where(id: params[:id].to_i).first or raise Refused.new("There is no such product.", status: 404)
    end
  end

  get("/api/admin/categories") { json(DB[:categories].order(:name).select(:id, :name).all) }

  post "/api/admin/categories" do
    json(DB[:categories].returning.insert(body_json.slice(:slug, :name, :position)).first)
  end

  get "/api/admin/products" do
    products = DB[:products].reverse(:id)
    products = products.where(Sequel.ilike(:name, "%#{products.escape_like(params[:q])}%")) unless params[:q].to_s.empty?
    json(products.limit(20).select(:id, :slug, :name, :price_cents, :stock, :visible).all)
  end

  post "/api/admin/products" do
    fields = product_fields
    slug = fields[:name].to_s.downcase.gsub(/[^a-z0-9]+/, "-").delete_prefix("-").delete_suffix("-")
    fields[:category_id] ||= Catalogue.category("odds-and-ends")[:id]
    json(DB[:products].returning.insert(slug:, **fields).first)
  rescue Sequel::UniqueConstraintViolation
    raise Refused, "There is already a product with this name."
  end

  get("/api/admin/products/:id") { json(stored_product) }

  put "/api/admin/products/:id" do
    DB[:products].where(id: stored_product[:id]).update(product_fields)
    Catalogue.changed(stored_product[:slug])
    json(stored_product)
  end

  # Adds to what is there, so that a delivery and a sale at the same time do not disturb each other.
  post "/api/admin/products/:id/delivery" do
    pieces = body_json[:pieces].to_i
    raise Refused, "A delivery has at least 1 piece." if pieces < 1

    DB[:products].where(id: stored_product[:id]).update(stock: Sequel[:stock] + pieces)
    json(stored_product)
  end

  post "/api/admin/discounts" do
    DB[:discounts].insert(body_json.slice(:code, :percent, :expires_on))
    json(ok: true)
  end

  get "/api/admin/orders" do
    json(Orders.latest(status: params[:status].to_s.empty? ? nil : params[:status]))
  end

  post "/api/admin/orders/:number/:step" do
    Orders.find(params[:number])
    case params[:step]
    when "dispatch" then Orders.dispatch(params[:number])
    when "cancel" then Orders.cancel(params[:number])
    else raise Refused.new("There is no such step.", status: 404)
    end
    json(Orders.find(params[:number]))
  end

  put "/api/admin/notice" do
    DB[:settings].insert_conflict(target: :name, update: { value: body_json[:text] }).insert(name: "notice", value: body_json[:text])
    json(ok: true)
  end

  delete "/api/admin/notice" do
    DB[:settings].where(name: "notice").delete
    json(ok: true)
  end
end
