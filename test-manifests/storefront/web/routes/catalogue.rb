class Storefront
  get("/api/categories") { json(Catalogue.menu) }
  get("/api/new-arrivals") { json(Catalogue.newest(8)) }

  get "/api/products" do
    slug = params[:category].to_s.empty? ? nil : params[:category]
    listing = Catalogue.page(category_slug: slug, sort: params[:sort], number: params.fetch(:page, 1).to_i)
    json(listing.merge(category: slug && Catalogue.category(slug)[:name]))
  end

  get "/api/search" do
    json(Catalogue.search(params[:q].to_s, limit: params[:all] ? 100 : 6))
  end

  get "/api/products/:slug" do
    product = Catalogue.product(params[:slug])
    wished = !customer.nil? && !DB[:wishes].where(customer_id: customer[:id], product_id: product[:id]).empty?
    json(product.merge(wished:))
  end

  get "/api/products/:slug/reviews" do
    product = Catalogue.product(params[:slug])
    json(DB[:reviews].join(:customers, id: :customer_id).where(product_id: product[:id]).reverse(:written_at)
                     .select(:rating, :body, Sequel[:customers][:name].as(:author)).all)
  end

  post "/api/products/:slug/reviews" do
    author = need_customer!
    product = Catalogue.product(params[:slug])
    rating, text = body_json.values_at(:rating, :body)
    raise Refused, "Please choose 1 to 5 stars." unless (1..5).cover?(rating.to_i)
    raise Refused, "Please write a few words." if text.to_s.strip.empty?

    begin
      DB[:reviews].insert(product_id: product[:id], customer_id: author[:id], rating: rating.to_i, body: text.strip)
    rescue Sequel::UniqueConstraintViolation
      raise Refused, "You have already reviewed this product."
    end
    json(ok: true)
  end

  get "/api/wishes" do
    json(DB[:wishes].join(:products, id: :product_id).where(customer_id: need_customer![:id], visible: true)
                    .reverse(:wished_at).select(*Catalogue::CARD).all)
  end

  put "/api/wishes/:slug" do
    DB[:wishes].insert_conflict.insert(customer_id: need_customer![:id], product_id: Catalogue.product(params[:slug])[:id])
    json(wished: true)
  end

  delete "/api/wishes/:slug" do
    DB[:wishes].where(customer_id: need_customer![:id], product_id: Catalogue.product(params[:slug])[:id]).delete
    json(wished: false)
  end
end
