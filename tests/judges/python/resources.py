"""Every resource of the simulator through the official Python SDK, each in the same way: made, read, changed, listed both
ways a page at a time, searched and expanded where the API has it, and ended.

Usage: python resources.py http://127.0.0.1:PORT        exits 1 when anything is wrong, after trying all.
"""

import io
import sys
import time
import traceback
import uuid
from itertools import islice

import stripe
from stripe import StripeClient

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:12111"
RUN = uuid.uuid4().hex[:12]
api = StripeClient("_".join(["sk", "test", "pythonresources"]), base_addresses={"api": BASE, "files": BASE})
v1 = api.v1
MARK = {"run": RUN}

# What others are made of.
customer = v1.customers.create({"name": "Owner", "email": f"{RUN}@example.com"})
OF = {"customer": customer.id}
card = v1.payment_methods.attach("pm_card_visa", OF)
v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
product = v1.products.create({"name": "Thing"})
once = v1.prices.create({"currency": "usd", "unit_amount": 1000, "product": product.id})
monthly = v1.prices.create(
    {"currency": "usd", "unit_amount": 900, "product": product.id, "recurring": {"interval": "month"}}
)
coupon = v1.coupons.create({"percent_off": 10, "duration": "once"})
connected = v1.accounts.create(
    {"type": "custom", "country": "US", "capabilities": {"transfers": {"requested": True}}}
)


def paid(**more):
    return v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", **OF, "payment_method": card.id, "confirm": True, **more}
    )


def invoice():
    draft = v1.invoices.create({**OF, "auto_advance": False})
    v1.invoice_items.create({**OF, "invoice": draft.id, "amount": 1500, "currency": "usd"})
    return v1.invoices.finalize_invoice(draft.id)


def funds():
    v1.charges.create({"amount": 50_000, "currency": "usd", "source": "tok_bypassPending"})


def attached():
    made = v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}, "metadata": MARK})
    return v1.payment_methods.attach(made.id, OF)


def disputed():
    made = v1.payment_intents.create(
        {"amount": 800, "currency": "usd", "payment_method": "pm_card_createDispute", "confirm": True}
    )
    return v1.disputes.list({"payment_intent": made.id}).data[0]


def after(first, make):
    first()
    return make()


def linked():
    file = v1.files.create({"purpose": "dispute_evidence", "file": io.BytesIO(b"%PDF-1.4")})
    return v1.file_links.create({"file": file.id, "metadata": MARK})


def newest_event():
    v1.customers.create({"metadata": MARK})
    return v1.events.list({"limit": 1}).data[0]


MORE = {"metadata": {**MARK, "more": "1"}}

# name: service, how one is made, what is changed, what lists are filtered by, what is expanded, whether it is
# searched, how it ends and what is seen then.
RESOURCES = {
    "customer": dict(
        api=v1.customers,
        make=lambda: v1.customers.create({"email": f"{RUN}@example.org", "metadata": MARK}),
        change={"name": "Two"},
        list={"email": f"{RUN}@example.org"},
        expand=["subscriptions", "tax_ids"],
        end=v1.customers.delete,
        ended={"deleted": True},
    ),
    "payment method": dict(
        api=v1.payment_methods,
        make=attached,
        change={"allow_redisplay": "always"},
        list={**OF, "type": "card"},
        expand=["customer"],
        end=v1.payment_methods.detach,
        ended={"customer": None},
    ),
    "payment intent": dict(
        api=v1.payment_intents,
        make=lambda: v1.payment_intents.create({"amount": 700, "currency": "usd", **OF, "metadata": MARK}),
        change={"description": "changed"},
        list=OF,
        expand=["customer", "latest_charge"],
        searched=True,
        end=v1.payment_intents.cancel,
        ended={"status": "canceled"},
    ),
    "setup intent": dict(
        api=v1.setup_intents,
        make=lambda: v1.setup_intents.create({**OF, "metadata": MARK}),
        change={"description": "changed"},
        list=OF,
        expand=["customer"],
        end=v1.setup_intents.cancel,
        ended={"status": "canceled"},
    ),
    "charge": dict(
        api=v1.charges,
        make=lambda: v1.charges.update(paid().latest_charge, {"metadata": MARK}),
        change={"description": "changed"},
        list=OF,
        expand=["balance_transaction", "payment_intent.payment_method", "refunds"],
        searched=True,
    ),
    "refund": dict(
        api=v1.refunds,
        make=lambda: v1.refunds.create({"payment_intent": paid().id, "amount": 500, "metadata": MARK}),
        change=MORE,
        expand=["charge.balance_transaction", "payment_intent"],
    ),
    "dispute": dict(
        api=v1.disputes, make=disputed, change=MORE, expand=["charge"], end=v1.disputes.close, ended={"status": "lost"}
    ),
    "balance transaction": dict(
        api=v1.balance_transactions,
        make=lambda: paid(expand=["latest_charge.balance_transaction"]).latest_charge.balance_transaction,
        list={"type": "charge"},
        expand=["source"],
    ),
    "product": dict(
        api=v1.products,
        make=lambda: v1.products.create({"name": f"Kept {RUN}", "metadata": MARK}),
        change={"active": False},
        expand=["default_price"],
        searched=True,
        end=v1.products.delete,
        ended={"deleted": True},
    ),
    "price": dict(
        api=v1.prices,
        make=lambda: v1.prices.create(
            {"currency": "usd", "unit_amount": 100, "product": product.id, "metadata": MARK}
        ),
        change={"nickname": "changed"},
        list={"product": product.id},
        expand=["product", "tiers"],
        searched=True,
    ),
    "coupon": dict(
        api=v1.coupons,
        make=lambda: v1.coupons.create({"percent_off": 5, "duration": "once", "metadata": MARK}),
        change={"name": "changed"},
        end=v1.coupons.delete,
        ended={"deleted": True},
    ),
    "promotion code": dict(
        api=v1.promotion_codes,
        make=lambda: v1.promotion_codes.create(
            {"promotion": {"type": "coupon", "coupon": coupon.id}, "metadata": MARK}
        ),
        change={"active": False},
        list={"coupon": coupon.id},
        expand=["promotion.coupon"],
    ),
    "subscription": dict(
        api=v1.subscriptions,
        make=lambda: v1.subscriptions.create({**OF, "items": [{"price": monthly.id}], "metadata": MARK}),
        change={"description": "changed"},
        list={**OF, "status": "all"},
        expand=["latest_invoice.payments", "items.data.price.product"],
        searched=True,
        end=v1.subscriptions.cancel,
        ended={"status": "canceled"},
    ),
    "subscription schedule": dict(
        api=v1.subscription_schedules,
        make=lambda: v1.subscription_schedules.create(
            {
                **OF,
                "start_date": "now",
                "phases": [{"items": [{"price": monthly.id}], "duration": {"interval": "month", "interval_count": 2}}],
            }
        ),
        change={"end_behavior": "cancel"},
        list=OF,
        expand=["subscription.latest_invoice"],
        end=v1.subscription_schedules.release,
        ended={"status": "released"},
    ),
    "invoice": dict(
        api=v1.invoices,
        make=lambda: v1.invoices.update(invoice().id, {"metadata": MARK}),
        change=MORE,
        list={**OF, "status": "open"},
        expand=["customer", "payments"],
        searched=True,
        end=v1.invoices.void_invoice,
        ended={"status": "void"},
    ),
    "invoice item": dict(
        api=v1.invoice_items,
        make=lambda: v1.invoice_items.create({**OF, "amount": 100, "currency": "usd", "metadata": MARK}),
        change={"description": "changed"},
        list={**OF, "pending": True},
        end=v1.invoice_items.delete,
        ended={"deleted": True},
    ),
    "credit note": dict(
        api=v1.credit_notes,
        make=lambda: v1.credit_notes.create({"invoice": invoice().id, "amount": 100, "metadata": MARK}),
        change={"memo": "changed"},
        list=OF,
        expand=["invoice.customer"],
        end=v1.credit_notes.void_credit_note,
        ended={"status": "void"},
    ),
    "quote": dict(
        api=v1.quotes,
        make=lambda: v1.quotes.create({**OF, "line_items": [{"price": once.id, "quantity": 2}], "metadata": MARK}),
        change={"header": "changed"},
        list=OF,
        expand=["line_items"],
        end=v1.quotes.cancel,
        ended={"status": "canceled"},
    ),
    "checkout session": dict(
        api=v1.checkout.sessions,
        make=lambda: v1.checkout.sessions.create(
            {
                **OF,
                "mode": "payment",
                "success_url": "https://shop.example/done",
                "line_items": [{"price": once.id, "quantity": 1}],
            }
        ),
        change=MORE,
        list=OF,
        expand=["line_items.data.price.product"],
        end=v1.checkout.sessions.expire,
        ended={"status": "expired"},
    ),
    "payment link": dict(
        api=v1.payment_links,
        make=lambda: v1.payment_links.create({"line_items": [{"price": once.id, "quantity": 1}]}),
        change={"active": False},
        expand=["line_items.data.price"],
    ),
    "payout": dict(
        api=v1.payouts,
        make=lambda: after(funds, lambda: v1.payouts.create({"amount": 1000, "currency": "usd"})),
        change=MORE,
        expand=["balance_transaction"],
        end=v1.payouts.cancel,
        ended={"status": "canceled"},
    ),
    "transfer": dict(
        api=v1.transfers,
        make=lambda: after(
            funds, lambda: v1.transfers.create({"amount": 900, "currency": "usd", "destination": connected.id})
        ),
        change={"description": "changed"},
        list={"destination": connected.id},
        expand=["balance_transaction"],
    ),
    "tax rate": dict(
        api=v1.tax_rates,
        make=lambda: v1.tax_rates.create({"display_name": "VAT", "percentage": 25, "inclusive": True}),
        change={"description": "changed"},
        list={"inclusive": True},
    ),
    "shipping rate": dict(
        api=v1.shipping_rates,
        make=lambda: v1.shipping_rates.create(
            {"display_name": "Post", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}}
        ),
        change={"active": False},
    ),
    "billing meter": dict(
        api=v1.billing.meters,
        make=lambda: v1.billing.meters.create(
            {
                "display_name": "Calls",
                "event_name": f"calls-{uuid.uuid4().hex}",
                "default_aggregation": {"formula": "sum"},
            }
        ),
        change={"display_name": "changed"},
        list={"status": "active"},
        end=v1.billing.meters.deactivate,
        ended={"status": "inactive"},
    ),
    "account": dict(
        api=v1.accounts,
        make=lambda: v1.accounts.create({"type": "custom", "country": "US", "metadata": MARK}),
        change={"email": "changed@example.com"},
        end=v1.accounts.delete,
        ended={"deleted": True},
        missing=stripe.PermissionError,
    ),
    "event": dict(api=v1.events, make=newest_event, list={"type": "customer.created"}),
    "file link": dict(api=v1.file_links, make=linked, change={"expires_at": "now"}, seen={"expired": True}, expand=["file"]),
    "webhook endpoint": dict(
        api=v1.webhook_endpoints,
        make=lambda: v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["charge.expired"]}),
        change={"description": "changed"},
        end=v1.webhook_endpoints.delete,
        ended={"deleted": True},
    ),
    "test clock": dict(
        api=v1.test_helpers.test_clocks,
        make=lambda: v1.test_helpers.test_clocks.create({"frozen_time": int(time.time())}),
        end=v1.test_helpers.test_clocks.delete,
        ended={"deleted": True},
    ),
}


def holds(found, wanted):
    for name, value in wanted.items():
        inner = found[name]
        if isinstance(value, dict):
            holds(inner, value)
        else:
            assert inner == value, f"{name} is {inner!r}, not {value!r}"


def judge(api, make, change=None, seen=None, list=None, expand=(), searched=False, end=None, ended=None,
          missing=stripe.InvalidRequestError):
    filters = list or {}
    ids = [make().id for _ in range(3)]
    assert len(set(ids)) == 3
    assert api.retrieve(ids[0]).id == ids[0]
    if change:
        holds(api.update(ids[0], change), seen or change)
        holds(api.retrieve(ids[0]), seen or change)
    for path in expand:
        assert api.retrieve(ids[1], {"expand": [path]}).id == ids[1]
    refused(stripe.InvalidRequestError, lambda: api.retrieve(ids[1], {"expand": ["nothing"]}))
    forward = [o.id for o in islice(api.list({**filters, "limit": 2}).auto_paging_iter(), 300)]
    assert [i for i in forward if i in ids] == ids[::-1], "newest first"
    backward = islice(api.list({**filters, "limit": 1, "ending_before": ids[0]}).auto_paging_iter(), 50)
    assert [o.id for o in backward if o.id in ids][:2] == ids[1:], "nearest first"
    if searched:
        found = [o.id for o in api.search({"query": f'metadata["run"]:"{RUN}"', "limit": 100}).data]
        assert all(i in found for i in ids), f"{ids} are not all in {found}"
    if end:
        holds(end(ids[2]), ended)
    refused(missing, lambda: api.retrieve(f"{ids[0]}x"))


def refused(error_class, call):
    try:
        call()
    except error_class:
        return
    raise AssertionError(f"expected {error_class.__name__}")


wrong = 0
for name, resource in RESOURCES.items():
    try:
        judge(**resource)
        print(f"ok   {name}")
    except Exception:
        wrong += 1
        print(f"FAIL {name}", file=sys.stderr)
        traceback.print_exc()
print(f"python SDK: {len(RESOURCES) - wrong} resources passed, {wrong} are wrong")
sys.exit(1 if wrong else 0)
