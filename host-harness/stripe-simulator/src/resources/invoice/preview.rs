//! What the next invoice would be.

use serde_json::{Value, json};

use super::draft::{Recipient, parent_of, recipient};
use super::{Line, blank, push, push_item, recompute};
use crate::protocol::ApiError;
use crate::resources::fields::new_metadata;
use crate::resources::{Call, Read, Reply, discount, invoiceitem, subscription};
use crate::world::{Object, now};

/// What the next invoice of a subscription, or of a customer's pending items, would be; nothing is kept.
pub(super) fn preview(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let Recipient { owner, subscription, currency } = recipient(account, &sent)?;
    let redeemed = discount::redeem(account, &sent)?;
    let id = account.new_id("upcoming_in");
    let mut invoice = blank(account, &id, &owner, &currency);
    invoice.insert("billing_reason".into(), "upcoming".into());
    invoice.insert("auto_advance".into(), true.into());
    for mut item in invoiceitem::pending(account, owner.id(), &currency, subscription.as_ref().map(Read::id)) {
        let kept = item.clone();
        invoiceitem::put_on(account, &mut invoice, &mut item);
        account.put("invoiceitem", &kept);
    }
    for (index, item) in sent.objects("invoice_items").enumerate() {
        let charged = invoiceitem::charged(account, item, &currency, &format!("invoice_items[{index}]"))?;
        let line = Line {
            description: charged.description,
            amount: charged.amount,
            quantity: charged.quantity,
            period: (now(), now()),
            price: charged
                .price
                .as_ref()
                .map(|p| json!({"price": p.id(), "product": p.get("product")}))
                .unwrap_or_default(),
            unit: Some(charged.unit),
            parent: Value::Null,
            subscription: None,
            discountable: true,
            discounts: Vec::new(),
            rates: Vec::new(),
            metadata: new_metadata(item),
        };
        push(account, &mut invoice, line);
    }
    if let Some(subscription) = &subscription {
        invoice.insert("parent".into(), parent_of(subscription));
        invoice.insert("discounts".into(), subscription.list("discounts").into());
        let items: Vec<Object> =
            subscription.object("items").into_iter().flat_map(|i| i.objects("data")).cloned().collect();
        for item in items {
            let mut item = item;
            let end = item.integer("current_period_end").unwrap_or_default();
            let next = subscription::next_end(&item, end);
            item.insert("current_period_start".into(), end.into());
            item.insert("current_period_end".into(), next.into());
            push_item(account, &mut invoice, subscription, &item, false);
            invoice.insert("period_end".into(), end.into());
        }
    }
    if let Some(redeemed) = redeemed {
        let ids = discount::attach(account, redeemed, &[("customer", owner.id())]);
        invoice.insert("discounts".into(), ids.into());
    }
    recompute(account, &mut invoice);
    Ok(invoice.into())
}
