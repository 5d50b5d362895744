class Storefront
  helpers do
    def cart_json
      lines = cart.lines
      json(lines:, count: lines.sum { |line| line[:quantity] }, **cart.totals(lines))
    end
  end

  get("/api/cart") { cart_json }

  post "/api/cart/lines" do
    cart.add(body_json[:product_id].to_i, body_json.fetch(:quantity, 1).to_i)
    cart_json
  end

  put "/api/cart/lines/:product_id" do
    cart.change(params[:product_id].to_i, body_json[:quantity].to_i)
    cart_json
  end

  delete "/api/cart/lines/:product_id" do
    cart.remove(params[:product_id].to_i)
    cart_json
  end

  put "/api/cart/discount" do
    cart.apply_discount(body_json[:code])
    cart_json
  end

  delete "/api/cart/discount" do
    cart.drop_discount
    cart_json
  end
end
