# Customers and who is signed in.
module Accounts
  COST = Integer(ENV.fetch("BCRYPT_COST", "12"))

  module_function

  def by_token(token)
    DB[:customers].where(id: DB[:sessions].where(token:).select(:customer_id)).first
  end

  def sign_up(name:, email:, password:)
    check_name(name)
    raise Refused, "Please give a valid email address." unless email.to_s.match?(/\A[^@\s]+@[^@\s]+\.[^@\s]+\z/)

    check_password(password)
    DB[:customers].returning.insert(name: name.strip, email: email.downcase, password_hash: hash(password)).first
  rescue Sequel::UniqueConstraintViolation
    raise Refused, "There is already an account with this email address."
  end

  def authenticate(email:, password:)
    customer = DB[:customers].where(email: email.to_s.downcase).first
    return customer if customer && BCrypt::Password.new(customer[:password_hash]) == password.to_s

    # One message for both cases, so that nobody learns which addresses have accounts.
    raise Refused.new("Email or password is wrong.", status: 401)
  end

  # A fresh token at every sign-in, so that one planted before is worth nothing.
  def open_session(customer)
    SecureRandom.urlsafe_base64(24).tap { |token| DB[:sessions].insert(token:, customer_id: customer[:id]) }
  end

  def close_session(token)
    DB[:sessions].where(token:).delete
  end

  def change_name(customer, name)
    check_name(name)
    DB[:customers].where(id: customer[:id]).update(name: name.strip)
  end

  def change_address(customer, street:, city:, postcode:)
    missing = { street:, city:, postcode: }.select { |_, value| value.to_s.strip.empty? }.keys
    raise Refused, "Please fill in: #{missing.join(', ')}." if missing.any?

    DB[:customers].where(id: customer[:id]).update(street: street.strip, city: city.strip, postcode: postcode.strip.upcase)
  end

  def change_password(customer, current:, new:)
    raise Refused, "The current password is wrong." unless BCrypt::Password.new(customer[:password_hash]) == current.to_s

    check_password(new)
    DB[:customers].where(id: customer[:id]).update(password_hash: hash(new))
  end

  def check_name(name)
    raise Refused, "Please give your name." if name.to_s.strip.empty?
  end

  def check_password(password)
    raise Refused, "A password needs at least 8 characters." if password.to_s.length < 8
  end

  def hash(password) = BCrypt::Password.create(password, cost: COST).to_s
end
