//! What is sold: line items as the caller names or describes them, and what has to be created for them.

use serde_json::{Value, json};

use crate::protocol::ApiError;
use crate::resources::fields::new_metadata;
use crate::resources::{Read, money, price, product, rates};
use crate::world::{Account, Object};

/// Line items, and what has to be created for them.
pub(in crate::resources) struct Cart {
    pub(in crate::resources) items: Vec<Value>,
    /// The ids of the tax rates of each item.
    pub(in crate::resources) rates: Vec<Vec<Value>>,
    pub(in crate::resources) new: Vec<(Option<Object>, Object)>,
    pub(in crate::resources) currency: Option<String>,
    pub(in crate::resources) recurring: bool,
    pub(in crate::resources) total: i64,
}

/// Reads `line_items`.
pub(in crate::resources) fn cart(account: &mut Account, sent: &Object) -> Result<Cart, ApiError> {
    let mut cart =
        Cart { items: Vec::new(), rates: Vec::new(), new: Vec::new(), currency: None, recurring: false, total: 0 };
    for (index, line) in sent.objects("line_items").enumerate() {
        let param = format!("line_items[{index}]");
        let (price, name) = priced(account, line, &param, &mut cart.new)?;
        let adjustable = adjustable(line, &param)?;
        let quantity = line.integer("quantity").unwrap_or(1);
        let least = adjustable.get("minimum").and_then(Value::as_i64).unwrap_or(1);
        money::check_quantity(quantity, least, &format!("{param}[quantity]"))?;
        let rates = rates::taxes_at(account, line, "tax_rates", &param)?.unwrap_or_default();
        let currency = price.text("currency").unwrap_or_default().to_owned();
        if cart.currency.get_or_insert(currency.clone()) != &currency {
            return Err(ApiError::invalid("All prices in a session must have the same currency.").param(param));
        }
        let amount = price::cost(account, &price, quantity);
        cart.recurring |= price.object("recurring").is_some();
        cart.total = cart.total.saturating_add(amount);
        cart.rates.push(rates.iter().filter_map(|r| r.get("id").cloned()).collect());
        cart.items.push(json!({
            "id": account.new_id("li"),
            "object": "item",
            "adjustable_quantity": adjustable,
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": currency,
            "description": name,
            "metadata": new_metadata(line),
            "price": price,
            "quantity": quantity,
        }));
    }
    Ok(cart)
}

/// The price of a line, and the name of what it is the price of.
fn priced(
    account: &mut Account,
    line: &Object,
    param: &str,
    new: &mut Vec<(Option<Object>, Object)>,
) -> Result<(Object, Option<String>), ApiError> {
    let name = |product: &Object| product.text("name").map(str::to_owned);
    match (line.text("price"), line.object("price_data")) {
        (Some(id), _) => {
            let price = account.find("price", id, &format!("{param}[price]"))?;
            let product = price.text("product").and_then(|p| account.get("product", p));
            Ok((price, product.as_ref().and_then(name)))
        }
        (None, Some(data)) => {
            let parent = format!("{param}[price_data]");
            let new_product = match (data.text("product"), data.object("product_data")) {
                (Some(_), _) => None,
                (None, Some(data)) => Some(product::build(account, data)?),
                (None, None) => return Err(ApiError::missing_param(&format!("{parent}[product_data]"))),
            };
            let product = match &new_product {
                Some(product) => product.clone(),
                None => {
                    let id = data.text("product").unwrap_or_default();
                    account.find("product", id, &format!("{parent}[product]"))?
                }
            };
            let price = price::build(account, data, product.id(), &parent)?;
            new.push((new_product, price.clone()));
            Ok((price, name(&product)))
        }
        (None, None) => Err(ApiError::missing_param(&format!("{param}[price]"))),
    }
}

/// Between what quantities the customer can choose.
fn adjustable(line: &Object, param: &str) -> Result<Value, ApiError> {
    let Some(sent) = line.object("adjustable_quantity").filter(|a| a.is_true("enabled")) else {
        return Ok(Value::Null);
    };
    let least = sent.integer("minimum").unwrap_or_default();
    let most = sent.integer("maximum").unwrap_or(99);
    money::check_quantity(least, 0, &format!("{param}[adjustable_quantity][minimum]"))?;
    money::check_quantity(most, least.max(1), &format!("{param}[adjustable_quantity][maximum]"))?;
    Ok(json!({"enabled": true, "maximum": most, "minimum": least}))
}

/// Keeps the products and prices that a cart brought along.
pub(in crate::resources) fn keep_new(account: &mut Account, new: &[(Option<Object>, Object)]) {
    for (product, price) in new {
        if let Some(product) = product {
            account.create("product", "product.created", product);
        }
        price::keep(account, price);
    }
}
