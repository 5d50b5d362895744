def test_never():
    print("<<never>>")


no_such_word  # broken here
