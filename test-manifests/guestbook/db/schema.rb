# frozen_string_literal: true

ActiveRecord::Schema.define(version: 2026_11_01_000000) do
  create_table "entries", force: :cascade do |t|
    t.string "name", null: false
    t.text "message", null: false
    t.integer "likes", default: 0, null: false
    t.boolean "approved", default: false, null: false
    t.datetime "created_at", precision: 6, null: false
    t.datetime "updated_at", precision: 6, null: false
  end
end
