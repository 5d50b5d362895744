# Opens and closes the windows of planted faults. Exists only in a shop that has some.
class Storefront
  post "/__faults" do
    Faults.open = body_json.fetch(:open)
    json(open: body_json[:open] & Faults::PLANTED)
  end
end
