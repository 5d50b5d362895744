require "json"
require "net/http"

# Talks to the shop's JSON API: as an administrator to prepare what an example needs, or as a shopper without a browser.
class Api
  class Refused < StandardError; end

  def self.admin = new("X-Admin-Token" => ENV.fetch("ADMIN_TOKEN", "admin-token-for-tests"))

  def initialize(headers = {})
    @headers = { "Content-Type" => "application/json" }.merge(headers)
  end

  def get(path) = send_request(Net::HTTP::Get, path)
  def post(path, body = {}) = send_request(Net::HTTP::Post, path, body)
  def put(path, body = {}) = send_request(Net::HTTP::Put, path, body)
  def delete(path) = send_request(Net::HTTP::Delete, path)

  private

  def send_request(verb, path, body = nil)
    uri = URI.join(Capybara.app_host, path)
    request = verb.new(uri, @headers)
    request.body = JSON.generate(body) if body
    response = Net::HTTP.start(uri.host, uri.port, read_timeout: 60) { |http| http.request(request) }
    keep_session(response)
    raise Refused, "#{verb::METHOD} #{path}: #{response.code} #{response.body}" unless response.is_a?(Net::HTTPSuccess)

    JSON.parse(response.body, symbolize_names: true)
  end

  def keep_session(response)
    cookie = response["Set-Cookie"] and @headers["Cookie"] = cookie[/\A[^;]+/]
  end
end
