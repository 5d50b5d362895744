"""Words for what people do at the desk. Everything made here has a name of its own, so that tests share it in peace."""

import secrets

from selenium.common.exceptions import StaleElementReferenceException, TimeoutException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

import api

WAIT_SECONDS = 10  # costs nothing unless something is late


def unique(word):
    return f"{word} {secrets.token_hex(4)}"


class Desk:
    def __init__(self, driver):
        self.driver = driver
        self.name = None  # of the agent who is signed in

    # --- data, by the API -----------------------------------------------------------------------------------------

    def make_agent(self):
        name = unique("Robin")
        agent = {"name": name, "email": name.replace(" ", ".").lower() + "@quayside.test", "password": "open sesame"}
        api.post("/api/agents", **agent)
        return agent

    def make_queue(self, name=None):
        return api.post("/api/queues", name=name or unique("Queue"))["id"]

    def make_ticket(self, queue=None, subject=None, **more):
        subject = subject or unique("Printer")
        made = api.post(
            "/api/tickets", queue=queue or self.make_queue(), subject=subject, body="It only hums.",
            requester="kim@quayside.test", **more,
        )
        return {**made, "subject": subject}

    # --- steps ----------------------------------------------------------------------------------------------------

    def visit(self, path):
        self.driver.get(api.URL + path)

    def sign_in(self, agent):
        self.visit("/sign-in")
        self.fill(email=agent["email"], password=agent["password"])
        self.click("#sign-in")
        self.name = agent["name"]
        self.sees("#agent", self.name)

    def open_ticket(self, **more):
        ticket = self.make_ticket(**more)
        self.visit(f"/tickets/{ticket['id']}")
        return ticket

    def wait(self, condition, seconds, message):
        """Until the condition is true; a page that is replaced while it is asked is asked again."""

        def settled(driver):
            try:
                return condition(driver)
            except WebDriverException as error:
                passing = ("does not belong to the document", "aborted by navigation")
                if isinstance(error, StaleElementReferenceException) or any(one in str(error) for one in passing):
                    return False
                raise

        try:
            return WebDriverWait(self.driver, seconds, 0.05).until(settled)
        except TimeoutException:
            raise AssertionError(message() if callable(message) else message) from None

    def find(self, selector):
        def found(driver):
            return driver.find_elements(By.CSS_SELECTOR, selector)

        return self.wait(found, WAIT_SECONDS, f"there is no {selector}")[0]

    def click(self, selector):
        """On what leads to another page, or to this one anew: waits until it is there."""
        element = self.find(selector)
        self.driver.execute_script("document.documentElement.id = 'before'")
        element.click()
        self.wait(
            lambda driver: driver.execute_script(
                "return document.documentElement.id !== 'before' && document.readyState === 'complete'"
            ),
            WAIT_SECONDS, f"{selector} leads nowhere",
        )

    def press(self, selector):
        """On what changes this page."""
        self.find(selector).click()

    def fill(self, **fields):
        """The fields of these names."""
        for name, text in fields.items():
            field = self.find(f"main [name={name}]")
            field.clear()
            field.send_keys(text)

    def choose(self, **fields):
        for name, text in fields.items():
            Select(self.find(f"main [name={name}]")).select_by_visible_text(text)

    # --- what is there ----------------------------------------------------------------------------------------------

    def texts(self, selector):
        return [one.text for one in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def sees(self, selector, *texts, within=WAIT_SECONDS):
        """Waits until the elements say exactly this, one after another; without texts, until there are none."""
        seen = []

        def same(_driver):
            seen[:] = self.texts(selector)
            return seen == list(texts)

        self.wait(same, within, lambda: f"{selector} should say {list(texts)}, and says {seen}")
