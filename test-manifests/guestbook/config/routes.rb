# frozen_string_literal: true

Rails.application.routes.draw do
  root "entries#index"
  resources :entries, only: %i[index new create show edit update destroy] do
    member do
      post :like
      post :approve
    end
  end
  resource :session, only: %i[new create destroy]
end
