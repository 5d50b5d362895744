import { api, byId, el, fillAndEnable, money, takeForm } from "./shop.js";

const form = byId("checkout");
const guarded = form.dataset.guarded === "true"; // false only while the fault double-submit is open

takeForm("checkout", async (values) => {
  const { number } = await api("POST", "orders", { ...values, key: guarded ? form.dataset.key : null });
  return { leave: `/orders/${number}?thanks=1` };
}, { guarded });

const [account, cart] = await Promise.all([api("GET", "account"), api("GET", "cart")]);
byId("summary").replaceChildren(
  el("ul", {}, ...cart.lines.map((line) => el("li", {}, `${line.quantity} × ${line.name}`))),
  el("p", { class: "total" }, `To pay: ${money(cart.total_cents)}`));
fillAndEnable(form, { recipient: account.name, street: account.street, city: account.city, postcode: account.postcode });
