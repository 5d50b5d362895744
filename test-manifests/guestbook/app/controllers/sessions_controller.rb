# frozen_string_literal: true

class SessionsController < ApplicationController
  PASSWORD = "harbour-light"

  def new; end

  def create
    if params[:password] == PASSWORD
      session[:moderator] = true
      redirect_to root_path, notice: "Welcome back."
    else
      flash.now[:alert] = "That is not the password."
      render :new
    end
  end

  def destroy
    reset_session
    redirect_to root_path, notice: "Goodbye."
  end
end
