class Storefront
  post "/api/orders" do
    buyer = need_customer!
    json(number: Orders.place(buyer, cart, body_json.slice(:recipient, :street, :city, :postcode, :card), key: body_json[:key]))
  end

  get("/api/orders") { json(Orders.of(need_customer!)) }
  get("/api/orders/:number") { json(Orders.find(params[:number], customer: need_customer!)) }

  post "/api/orders/:number/cancel" do
    Orders.find(params[:number], customer: need_customer!)
    Orders.cancel(params[:number])
    json(ok: true)
  end
end
