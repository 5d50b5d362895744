# frozen_string_literal: true

class CreateEntries < ActiveRecord::Migration[6.1]
  def change
    create_table :entries do |t|
      t.string :name, null: false
      t.text :message, null: false
      t.integer :likes, null: false, default: 0
      t.boolean :approved, null: false, default: false
      t.timestamps
    end
  end
end
