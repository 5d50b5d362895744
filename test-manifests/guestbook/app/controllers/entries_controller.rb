# frozen_string_literal: true

class EntriesController < ApplicationController
  before_action :require_moderator, only: %i[edit update destroy approve]
  before_action :find_entry, only: %i[show edit update destroy like approve]

  def index
    @page = [params[:page].to_i, 1].max
    found = Entry.shown_to(moderator?).about(params[:about])
    @count = found.count
    found = Guestbook.fault?("bug") ? found.order(:created_at, :id) : found.newest_first
    @entries = found.offset((@page - 1) * Entry::PER_PAGE).limit(Entry::PER_PAGE)
  end

  def show; end

  def new
    @entry = Entry.new
  end

  def create
    @entry = Entry.new(params.require(:entry).permit(:name, :message))
    if @entry.save
      redirect_to root_path, notice: "Thank you, #{@entry.name}. Your entry waits for a moderator."
    else
      render :new
    end
  end

  def edit; end

  def update
    if @entry.update(params.require(:entry).permit(:message))
      redirect_to @entry, notice: "Saved."
    else
      render :edit
    end
  end

  def destroy
    @entry.destroy
    redirect_to root_path, notice: "The entry by #{@entry.name} is gone."
  end

  def approve
    @entry.update!(approved: true)
    redirect_to root_path, notice: "The entry by #{@entry.name} is public now."
  end

  # As liking takes its time, a test that does not wait sees the old number.
  def like
    sleep 0.3
    render json: { likes: @entry.like.likes }
  end

  private

  def find_entry
    @entry = Entry.shown_to(moderator?).find_by(id: params[:id])
    render plain: "There is no such entry.", status: :not_found unless @entry
  end
end
