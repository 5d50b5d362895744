# frozen_string_literal: true

class ApplicationController < ActionController::Base
  helper_method :moderator?

  private

  def moderator?
    session[:moderator] == true
  end

  def require_moderator
    redirect_to new_session_path, alert: "Please sign in first." unless moderator?
  end
end
