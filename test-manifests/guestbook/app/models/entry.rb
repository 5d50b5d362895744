# frozen_string_literal: true

class Entry < ApplicationRecord
  PER_PAGE = 5

  validates :name, presence: true, length: { maximum: 40 }
  validates :message, presence: true, length: { maximum: 500 }

  scope :newest_first, -> { order(created_at: :desc, id: :desc) }
  scope :shown_to, ->(moderator) { moderator ? all : where(approved: true) }
  # SQLite's LIKE takes no heed of case.
  scope :about, ->(word) { word.blank? ? all : where("message LIKE ? ESCAPE '\\'", "%#{sanitize_sql_like(word)}%") }

  def like
    self.class.where(id: id).update_all("likes = likes + 1")
    reload
  end
end
