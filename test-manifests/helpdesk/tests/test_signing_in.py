def test_an_agent_signs_in_and_out(desk):
    desk.sign_in(desk.make_agent())
    desk.click("#sign-out")
    desk.sees("h1", "How can we help?")
    desk.sees("#agent")


def test_a_wrong_password_is_refused_and_the_address_stays(desk):
    agent = desk.make_agent()
    desk.visit("/sign-in")
    desk.fill(email=agent["email"], password="open barley")
    desk.click("#sign-in")
    desk.sees("#error", "We don't know this address with this password.")
    assert desk.find("[name=email]").get_attribute("value") == agent["email"]


def test_an_address_in_capitals_is_the_same(desk):
    agent = desk.make_agent()
    desk.sign_in({**agent, "email": agent["email"].upper()})


def test_pages_for_agents_lead_visitors_to_the_door(desk):
    desk.visit("/queues")
    desk.sees("h1", "Sign in")


def test_nobody_is_signed_in_at_first(desk):
    desk.visit("/")
    desk.sees("#agent")
