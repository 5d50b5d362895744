class Storefront
  helpers do
    # What a visitor had in the cart before signing in comes along.
    def sign_in!(customer)
      visitor = token && DB[:carts].where(token:).get(:id)
      Cart.for(customer, nil).take_over(Cart.new(visitor)) if visitor
      set_token(Accounts.open_session(customer))
    end
  end

  # What the header of every page shows.
  get "/api/me" do
    json(name: customer && customer[:name], admin: !customer.nil? && customer[:admin], cart_count: token ? cart.count : 0,
         notice: DB[:settings].where(name: "notice").get(:value))
  end

  post "/api/sign-up" do
    sign_in!(Accounts.sign_up(**body_json.slice(:name, :email, :password)))
    json(ok: true)
  end

  post "/api/sign-in" do
    sign_in!(Accounts.authenticate(**body_json.slice(:email, :password)))
    json(ok: true)
  end

  post "/api/sign-out" do
    Accounts.close_session(token)
    set_token(SecureRandom.urlsafe_base64(24))
    json(ok: true)
  end

  get("/api/account") { json(need_customer!.slice(:name, :email, :street, :city, :postcode)) }

  put "/api/account/name" do
    Accounts.change_name(need_customer!, body_json[:name])
    json(ok: true)
  end

  put "/api/account/address" do
    Accounts.change_address(need_customer!, **body_json.slice(:street, :city, :postcode))
    json(ok: true)
  end

  put "/api/account/password" do
    Accounts.change_password(need_customer!, current: body_json[:current], new: body_json[:new])
    json(ok: true)
  end
end
