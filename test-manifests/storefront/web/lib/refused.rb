# What the shop declines to do, in words for the customer.
class Refused < StandardError
  attr_reader :status

  def initialize(message, status: 422)
    super(message)
    @status = status
  end
end
