"""Chromium's headless shell, driven by Selenium."""

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service


def start():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/lib/chromium/chromium-headless-shell"
    options.add_argument("--no-sandbox")  # the container is the sandbox, and its user is root
    options.add_argument("--window-size=1280,900")
    options.add_argument("--disable-background-networking")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


class Slot:
    """Holds a browser from one test to the next."""

    def __init__(self):
        self.held = None

    def fresh(self):
        """The browser without cookies, at an empty page; another one where it has died."""
        if self.held is not None:
            try:
                self.held.execute_cdp_cmd("Network.clearBrowserCookies", {})
                self.held.get("about:blank")
                return self.held
            except WebDriverException:
                self.quit()
        self.held = start()
        return self.held

    def quit(self):
        if self.held is not None:
            self.held.quit()
            self.held = None
