# What there is to buy.
module Catalogue
  PER_PAGE = 12
  SORTS = {
    "newest" => [Sequel.desc(:created_at), Sequel.desc(Sequel[:products][:id])],
    "name" => [Sequel[:products][:name]],
    "cheapest" => [:price_cents, Sequel[:products][:name]],
    "dearest" => [Sequel.desc(:price_cents), Sequel[:products][:name]]
  }.freeze
  CARD = [Sequel[:products][:id], Sequel[:products][:slug], Sequel[:products][:name], :price_cents, :stock].freeze

  module_function

  def menu = DB[:categories].exclude(position: nil).order(:position).select(:slug, :name).all

  def category(slug)
    DB[:categories].where(slug:).first or raise Refused.new("There is no such category.", status: 404)
  end

  def page(category_slug: nil, sort: nil, number: 1)
    products = DB[:products].where(visible: true)
    products = products.where(category_id: category(category_slug)[:id]) if category_slug
    total = products.count
    pages = [(total.to_f / PER_PAGE).ceil, 1].max
    number = number.clamp(1, pages)
    order = SORTS.fetch(sort, SORTS["name"])
    { items: products.order(*order).select(*CARD).limit(PER_PAGE, (number - 1) * PER_PAGE).all, total:, page: number, pages: }
  end

  def newest(count) = DB[:products].where(visible: true).order(*SORTS["newest"]).select(*CARD).limit(count).all

  def search(words, limit:)
    Faults.window("short-wait", 1.5) # fault short-wait: results later than the impatient test allows
    pattern = "%#{DB[:products].escape_like(words.strip)}%"
    DB[:products].where(visible: true).where(Sequel.ilike(:name, pattern)).order(:name).select(*CARD).limit(limit).all
  end

  # The product without its stock: that changes with every order and is never cached.
  def product(slug)
    known = ProductCache.fetch(slug) do
      DB[:products].join(:categories, id: :category_id).where(Sequel[:products][:slug] => slug, visible: true)
                   .select(Sequel[:products][:id], Sequel[:products][:slug], Sequel[:products][:name], :description, :price_cents,
                           Sequel[:categories][:name].as(:category), Sequel[:categories][:slug].as(:category_slug)).first
    end
    raise Refused.new("There is no such product.", status: 404) unless known

    known.merge(stock: DB[:products].where(id: known[:id]).get(:stock))
  end

  def changed(slug)
    return if Faults.open?("stale-cache") # fault stale-cache: the change is saved, the cached page stays

    ProductCache.forget(slug)
  end
end
