import { api, byId, el, money, parameters } from "./shop.js";

const article = byId("order");
const number = article.dataset.number;

async function draw() {
  const order = await api("GET", `orders/${number}`);
  const cancel = async (event) => {
    event.target.disabled = true;
    await api("POST", `orders/${number}/cancel`);
    await draw();
  };
  article.replaceChildren(
    el("h1", {}, parameters.has("thanks") ? "Thank you for your order" : `Order ${number}`),
    el("p", {}, `Number ${number}, `, el("span", { class: "badge" }, order.status)),
    el("ul", {}, ...order.lines.map((line) =>
      el("li", { class: "line" }, `${line.quantity} × ${line.name}, ${money(line.price_cents * line.quantity)}`))),
    el("p", { class: "total" }, `Total ${money(order.total_cents)}`),
    el("p", { class: "address" }, `${order.recipient}, ${order.street}, ${order.city} ${order.postcode}`),
    el("p", {}, el("a", { href: `/orders/${number}/invoice` }, "Invoice")),
    ...(order.status === "placed" ? [el("button", { type: "button", onclick: cancel }, "Cancel order")] : []));
}

await draw();
