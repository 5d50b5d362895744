import { api, byId, el, money } from "./shop.js";
import { showCartCount } from "./header.js";

const message = byId("cart-message");

// Every change answers with the whole cart, which is then drawn anew: what is shown is what the server holds.
async function change(method, path, body) {
  message.textContent = "";
  for (const control of byId("cart").querySelectorAll("button, input")) control.disabled = true;
  try {
    draw(await api(method, path, body));
  } catch (problem) {
    message.textContent = problem.message;
    draw(await api("GET", "cart"));
  }
}

function line(item) {
  const path = `cart/lines/${item.product_id}`;
  const quantity = el("input", { type: "number", min: 1, value: item.quantity, "aria-label": `Quantity of ${item.name}` });
  const update = (event) => {
    event.preventDefault();
    change("PUT", path, { quantity: Number(quantity.value) });
  };
  const remove = () => change("DELETE", path);
  return el("tr", { class: "line" },
    el("td", {}, el("a", { href: `/products/${item.slug}` }, item.name)),
    el("td", {}, money(item.price_cents)),
    el("td", {}, el("form", { novalidate: true, onsubmit: update },
      quantity, " ", el("button", { "aria-label": `Update ${item.name}` }, "Update"))),
    el("td", { class: "amount" }, money(item.price_cents * item.quantity)),
    el("td", {}, el("button", { type: "button", "aria-label": `Remove ${item.name}`, onclick: remove }, "Remove")));
}

function sums(cart) {
  const row = (name, value) => el("div", { class: "sum" }, el("dt", {}, name), el("dd", {}, value));
  return el("dl", { id: "sums" },
    row("Subtotal", money(cart.subtotal_cents)),
    cart.discount_code && row(`Discount ${cart.discount_code}`, `−${money(cart.discount_cents)}`),
    row("Shipping", cart.shipping_cents === 0 ? "Free" : money(cart.shipping_cents)),
    row("Total", money(cart.total_cents)));
}

function discount(cart) {
  if (cart.discount_code) {
    return el("button", { type: "button", onclick: () => change("DELETE", "cart/discount") }, "Remove discount");
  }
  const code = el("input", { name: "code" });
  const apply = (event) => {
    event.preventDefault();
    change("PUT", "cart/discount", { code: code.value });
  };
  return el("form", { id: "discount", onsubmit: apply }, el("label", {}, "Discount code ", code), el("button", {}, "Apply"));
}

function draw(cart) {
  showCartCount(cart.count);
  if (cart.lines.length === 0) return byId("cart").replaceChildren(el("p", {}, "Your cart is empty"));
  byId("cart").replaceChildren(
    el("table", {}, ...cart.lines.map(line)),
    discount(cart),
    sums(cart),
    el("a", { class: "button", href: "/checkout" }, "Go to checkout"));
}

draw(await api("GET", "cart"));
