# frozen_string_literal: true

module Shared
  def test_role_shared
    mark "shared"
  end
end
