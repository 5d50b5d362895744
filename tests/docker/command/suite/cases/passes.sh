passed "adds up"
passed "sends once"
