import pytest

import api
from desk import unique


@pytest.fixture
def article():
    title = unique("Fold a map")
    return {**api.post("/api/articles", title=title, body="Along the old folds."), "title": title}


def test_an_article_is_found_and_read(desk, article):
    desk.visit("/articles")
    desk.fill(q=article["title"])
    desk.click("#find")
    desk.sees("#articles a", article["title"])
    desk.click("#articles a")
    desk.sees("h1", article["title"])
    desk.sees("#body", "Along the old folds.")


def test_articles_that_are_not_there_are_not_found(desk):
    desk.visit("/articles")
    desk.fill(q=unique("Square the circle"))
    desk.click("#find")
    desk.sees("#none", "Nothing was found.")


def test_an_article_is_called_helpful_once_on_each_visit(desk, article):
    for helped in ("1", "2"):
        desk.visit(f"/articles/{article['id']}")
        desk.press("#helped")
        desk.sees("#helpful", helped)
        assert not desk.find("#helped").is_enabled()


def test_an_unknown_article_is_not_there(desk):
    desk.visit("/articles/99999999")
    desk.sees("h1", "Nothing here")
