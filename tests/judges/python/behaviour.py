"""What the simulator does, asked by the official Python SDK: payments, billing, checkout, v2, events, errors, keys.

Usage: python behaviour.py http://127.0.0.1:PORT        exits 1 at the first thing that is wrong.
"""

import sys
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

import stripe
from stripe import StripeClient

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:12111"
RUN = uuid.uuid4().hex[:12]


def client(mode="test", **more):
    # Keys of the form that Stripe's have; data of the two modes are apart.
    key = "_".join(["sk", mode, "pythonsdkjudge"])
    return StripeClient(key, base_addresses={"api": BASE}, **more)


api = client()
v1 = api.v1
STEPS = []


def step(function):
    STEPS.append(function)
    return function


def refused(error_class, call, **expected):
    try:
        call()
    except error_class as error:
        assert type(error) is error_class, f"{type(error).__name__}: {error}"
        for name, value in expected.items():
            found = getattr(error, name)
            assert found == value, f"{name} is {found!r}, not {value!r}: {error}"
        return error
    raise AssertionError(f"expected {error_class.__name__}")


def until(what, test):
    end = time.monotonic() + 10
    while not test():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def post_form(url, **fields):
    """Status and `Location` of a form that a browser sends."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(url, data=urllib.parse.urlencode(fields).encode()) as reply:
            return reply.status, reply.headers.get("location")
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("location")


def customer_with_card(card="pm_card_visa"):
    customer = v1.customers.create({"email": "card@example.com"})
    method = v1.payment_methods.attach(card, {"customer": customer.id})
    v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    return customer, method


def monthly(amount=1500):
    return v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": amount,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Club"},
        }
    )


@step
def customers():
    made = v1.customers.create({"email": "ann@example.com", "name": "Ann", "metadata": {"run": RUN, "x": "1"}})
    assert made.id.startswith("cus_") and made.livemode is False
    changed = v1.customers.update(made.id, {"name": "Anne", "metadata": {"x": ""}})
    assert changed.metadata.to_dict() == {"run": RUN} and changed.name == "Anne"
    assert v1.customers.retrieve(made.id).email == "ann@example.com"
    assert v1.customers.delete(made.id).deleted is True
    assert v1.customers.retrieve(made.id).deleted is True


@step
def products_and_prices():
    product = v1.products.create({"name": "Tea", "default_price_data": {"currency": "eur", "unit_amount": 450}})
    price = v1.prices.retrieve(product.default_price, {"expand": ["product"]})
    assert price.unit_amount == 450 and price.product.name == "Tea"
    assert v1.products.update(product.id, {"description": "Green"}).description == "Green"
    assert [p.id for p in v1.prices.list({"product": product.id}).data] == [price.id]
    assert v1.prices.update(price.id, {"active": False}).active is False


@step
def payment_intents():
    params = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    paid = v1.payment_intents.create({**params, "expand": ["latest_charge.balance_transaction"]})
    assert paid.status == "succeeded" and paid.latest_charge.balance_transaction.net == 1912
    held = v1.payment_intents.create({**params, "capture_method": "manual"})
    assert held.status == "requires_capture"
    assert v1.payment_intents.capture(held.id).status == "succeeded"
    intent = v1.payment_intents.create({"amount": 1000, "currency": "usd"})
    assert v1.payment_intents.cancel(intent.id).status == "canceled"
    error = refused(
        stripe.InvalidRequestError, lambda: v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    )
    assert error.code == "payment_intent_unexpected_state"


@step
def declines():
    cards = {
        "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
        "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
        "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card"),
        "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
        "pm_card_chargeDeclinedExpiredCard": ("expired_card", "expired_card"),
        "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", "incorrect_cvc"),
        "pm_card_chargeDeclinedProcessingError": ("processing_error", "processing_error"),
    }
    for card, (code, decline_code) in cards.items():
        params = {"amount": 700, "currency": "usd", "payment_method": card, "confirm": True}
        error = refused(stripe.CardError, lambda: v1.payment_intents.create(params), code=code, http_status=402)
        assert error.error.decline_code == decline_code, error.json_body
        assert error.error.payment_intent.status == "requires_payment_method"
        assert v1.charges.retrieve(error.error.charge).failure_code == code


@step
def authentication():
    params = {
        "amount": 900,
        "currency": "eur",
        "payment_method": "pm_card_threeDSecure2Required",
        "confirm": True,
        "return_url": "https://shop.example/back",
    }
    asked = v1.payment_intents.create(params)
    assert asked.status == "requires_action"
    status, location = post_form(asked.next_action.redirect_to_url.url, outcome="succeeded")
    assert status == 303 and location.startswith("https://shop.example/back?")
    assert v1.payment_intents.retrieve(asked.id).status == "succeeded"


@step
def refunds_and_balance():
    def total():
        balance = v1.balance.retrieve()
        return sum(b.amount for b in [*balance.available, *balance.pending] if b.currency == "cad")

    before = total()
    params = {"amount": 5000, "currency": "cad", "payment_method": "pm_card_visa", "confirm": True}
    paid = v1.payment_intents.create({**params, "expand": ["latest_charge.balance_transaction"]})
    net = paid.latest_charge.balance_transaction.net
    assert total() == before + net
    refund = v1.refunds.create({"payment_intent": paid.id, "amount": 2000})
    assert refund.status == "succeeded" and total() == before + net - 2000
    refused(stripe.InvalidRequestError, lambda: v1.refunds.create({"payment_intent": paid.id, "amount": 3001}))
    v1.refunds.create({"payment_intent": paid.id})
    again = lambda: v1.refunds.create({"payment_intent": paid.id})
    refused(stripe.InvalidRequestError, again, code="charge_already_refunded")
    assert v1.balance_transactions.retrieve(refund.balance_transaction).amount == -2000


@step
def subscriptions_and_invoices():
    customer, method = customer_with_card()
    price = monthly()
    made = v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "expand": ["latest_invoice.payments"]}
    )
    assert made.status == "active" and made.latest_invoice.status == "paid"
    assert made["items"].data[0].current_period_end > made["items"].data[0].current_period_start
    ending = v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert ending.cancel_at_period_end is True
    assert v1.subscriptions.cancel(made.id).status == "canceled"
    trial = v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "trial_period_days": 7}
    )
    assert trial.status == "trialing"
    poor, _ = customer_with_card("pm_card_chargeCustomerFail")
    params = {"customer": poor.id, "items": [{"price": price.id}]}
    left = v1.subscriptions.create(params)
    assert left.status == "incomplete"
    refused(stripe.CardError, lambda: v1.subscriptions.create({**params, "payment_behavior": "error_if_incomplete"}))
    good = v1.payment_methods.attach("pm_card_mastercard", {"customer": poor.id})
    assert v1.invoices.pay(left.latest_invoice, {"payment_method": good.id}).status == "paid"
    assert v1.subscriptions.retrieve(left.id).status == "active"


@step
def checkout_sessions():
    session = v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://shop.example/done?s={CHECKOUT_SESSION_ID}",
            "line_items": [
                {
                    "price_data": {"currency": "usd", "unit_amount": 800, "product_data": {"name": "Cup"}},
                    "quantity": 2,
                }
            ],
        }
    )
    assert session.status == "open" and session.amount_total == 1600
    status, location = post_form(session.url, number="4242 4242 4242 4242", email="buyer@example.com")
    assert (status, location) == (303, f"https://shop.example/done?s={session.id}")
    done = v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert done.payment_status == "paid" and done.payment_intent.status == "succeeded"
    assert v1.checkout.sessions.line_items.list(session.id).data[0].quantity == 2


@step
def lists():
    email = f"list-{RUN}@example.com"
    made = [v1.customers.create({"email": email}).id for _ in range(23)]
    newest = made[::-1]
    page = v1.customers.list({"email": email, "limit": 5})
    assert [c.id for c in page.auto_paging_iter()] == newest
    back = v1.customers.list({"email": email, "limit": 5, "ending_before": newest[-1]})
    assert [c.id for c in back.auto_paging_iter()] == made[1:]


@step
def searches():
    for number in range(4):
        v1.customers.create({"name": f"Find {number}", "metadata": {"search": RUN}})
    found = v1.customers.search({"query": f"metadata['search']:'{RUN}'", "limit": 3})
    assert len(found.data) == 3 and found.has_more
    assert len(list(found.auto_paging_iter())) == 4


@step
def errors():
    refused(
        stripe.InvalidRequestError,
        lambda: v1.customers.create({"colour": "red"}),
        code="parameter_unknown",
        param="colour",
        http_status=400,
    )
    refused(stripe.InvalidRequestError, lambda: v1.customers.retrieve("cus_no"), code="resource_missing", http_status=404)
    bad = StripeClient("nonsense", base_addresses={"api": BASE})
    refused(stripe.AuthenticationError, lambda: bad.v1.customers.list(), http_status=401)
    live = client("live").v1.customers.create({"name": "live"})
    error = refused(stripe.InvalidRequestError, lambda: v1.customers.retrieve(live.id))
    assert "similar object exists in live mode" in str(error)


@step
def idempotency():
    options = {"idempotency_key": f"key-{RUN}"}
    first = v1.customers.create({"name": "once"}, options)
    again = v1.customers.create({"name": "once"}, options)
    assert again.id == first.id and again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.body == first.last_response.body
    refused(stripe.IdempotencyError, lambda: v1.customers.create({"name": "two"}, options), http_status=400)


def listening():
    """A server that takes deliveries, and the bodies and signatures that came."""
    received = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((body, self.headers["stripe-signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, received


@step
def webhooks():
    server, received = listening()
    endpoint = v1.webhook_endpoints.create(
        {"url": f"http://127.0.0.1:{server.server_port}/", "enabled_events": ["*"]}
    )
    try:
        params = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
        intent = v1.payment_intents.create(params)
        until("three deliveries", lambda: len(received) >= 3)
        events = [api.construct_event(body, signature, endpoint.secret) for body, signature in received]
        assert [e.type for e in events] == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
        ], events
        assert events[2].data.object["id"] == intent.id
        body, signature = received[0]
        refused(
            stripe.SignatureVerificationError, lambda: api.construct_event(body + b" ", signature, endpoint.secret)
        )
        listed = v1.events.list({"type": "payment_intent.succeeded", "limit": 1})
        assert listed.data[0].id == events[2].id
    finally:
        v1.webhook_endpoints.delete(endpoint.id)
        server.shutdown()


def destination_params(name, url="http://127.0.0.1:9/", events=("*",)):
    return {
        "name": name,
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": list(events),
        "webhook_endpoint": {"url": url},
        "include": ["webhook_endpoint.signing_secret"],
    }


@step
def v2_thin_events():
    server, received = listening()
    destinations = api.v2.core.event_destinations
    url = f"http://127.0.0.1:{server.server_port}/"
    made = destinations.create(destination_params("thin", url, ["v1.customer.created", "v2.core.account_person.created"]))
    secret = made.webhook_endpoint.signing_secret

    def notified(kind):
        until(kind, lambda: received)
        body, signature = received.pop(0)
        refused(
            stripe.SignatureVerificationError,
            lambda: api.parse_event_notification(body + b" ", signature, secret),
        )
        notification = api.parse_event_notification(body, signature, secret)
        assert notification.type == kind, notification
        return notification

    try:
        ping = destinations.ping(made.id)
        told = notified("v2.core.event_destination.ping")
        assert told.id == ping.id and told.reason.request.id == ping.last_response.request_id
        assert told.fetch_event().id == ping.id
        assert told.fetch_related_object().id == made.id
        customer = v1.customers.create({"name": "Thin"})
        told = notified("v1.customer.created")
        assert type(told).__name__ == "V1CustomerCreatedEventNotification"
        assert told.fetch_related_object().name == "Thin"
        assert v1.events.retrieve(told.fetch_event().snapshot_event).data.object["id"] == customer.id
        account = api.v2.core.accounts.create({"display_name": "Ann"})
        person = api.v2.core.accounts.persons.create(account.id, {"given_name": "Bo"})
        told = notified("v2.core.account_person.created")
        assert told.fetch_event().data.account_id == account.id
        assert told.fetch_related_object().id == person.id
        off = destinations.disable(made.id)
        assert off.status == "disabled" and off.status_details.disabled.reason == "user"
    finally:
        assert destinations.delete(made.id).id == made.id
        server.shutdown()


@step
def v2_pages_keys_and_errors():
    destinations = api.v2.core.event_destinations
    made = [destinations.create(destination_params(f"page {number}")).id for number in range(5)][::-1]
    found = [d.id for d in destinations.list({"limit": 2}).auto_paging_iter()]
    assert found == made, found
    for one in made:
        destinations.delete(one)
    options = {"idempotency_key": f"v2-{RUN}"}
    first = destinations.create(destination_params("once"), options)
    again = destinations.create(destination_params("once"), options)
    assert again.id == first.id and again.last_response.headers["Idempotent-Replayed"] == "true"
    once = {**options, "max_network_retries": 0}
    refused(stripe.IdempotencyError, lambda: destinations.create(destination_params("two"), once), http_status=400)
    destinations.delete(first.id)
    gone = lambda: destinations.retrieve(first.id)
    refused(stripe.InvalidRequestError, gone, code="not_found", http_status=404)
    wrong = lambda: destinations.create({**destination_params("x"), "nope": 1})
    refused(stripe.InvalidRequestError, wrong, code="invalid_fields", http_status=400)


@step
def everything_else():
    assert v1.coupons.create({"percent_off": 25, "duration": "once"}).object == "coupon"
    assert v1.tax_rates.list().object == "list"


for function in STEPS:
    try:
        function()
    except Exception:
        print(f"FAIL {function.__name__}", file=sys.stderr)
        traceback.print_exc()
        sys.exit(1)
    print(f"ok   {function.__name__}")
print(f"python SDK {stripe.VERSION if hasattr(stripe, 'VERSION') else ''}: {len(STEPS)} steps passed")
