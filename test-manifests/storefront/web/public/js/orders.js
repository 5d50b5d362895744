import { api, byId, el, money } from "./shop.js";

const orders = await api("GET", "orders");
byId("orders").replaceChildren(...orders.map((order) =>
  el("p", { class: "order" },
    el("a", { href: `/orders/${order.number}` }, order.number),
    ` ${money(order.total_cents)} `,
    el("span", { class: "badge" }, order.status))));
if (orders.length === 0) byId("orders").append(el("p", {}, "You have not ordered anything yet"));
