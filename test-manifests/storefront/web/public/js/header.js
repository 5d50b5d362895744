// The header of every page: who is signed in, what is in the cart, the notice, and search while typing.
import { api, byId, el, money } from "./shop.js";

export async function refreshHeader() {
  const me = await api("GET", "me");
  byId("cart-count").textContent = me.cart_count;
  byId("notice").textContent = me.notice ?? "";
  byId("notice").hidden = !me.notice;
  byId("account-menu").replaceChildren(...(me.name ? menuOfCustomer(me) : menuOfVisitor()));
}

function menuOfVisitor() {
  return [el("a", { href: "/sign-in" }, "Sign in"), el("a", { href: "/sign-up" }, "Sign up")];
}

function menuOfCustomer(me) {
  const signOut = async () => {
    await api("POST", "sign-out");
    location.assign("/");
  };
  return [
    me.admin && el("a", { href: "/admin/products" }, "Administration"),
    el("a", { href: "/account" }, me.name),
    el("button", { type: "button", onclick: signOut }, "Sign out"),
  ].filter(Boolean);
}

// The count is known to whoever just changed the cart; no need to ask again.
export function showCartCount(count) {
  byId("cart-count").textContent = count;
}

const search = byId("search");
const results = byId("live-results");
let latest = 0; // answers may overtake each other; only the one to the latest question counts
let pause;

async function liveSearch(words) {
  const mine = ++latest;
  if (!words.trim()) return void hideResults();
  const products = await api("GET", `search?q=${encodeURIComponent(words)}`);
  if (mine !== latest) return;
  results.replaceChildren(...products.map((product) =>
    el("a", { class: "result", href: `/products/${product.slug}` },
      product.name, " ", el("span", { class: "price" }, money(product.price_cents)))));
  if (products.length === 0) results.append(el("p", {}, "Nothing found"));
  results.hidden = false;
  results.setAttribute("aria-busy", false);
}

function hideResults() {
  clearTimeout(pause);
  latest++; // an answer that is still under way must not show them again
  results.hidden = true;
}

search.addEventListener("input", (event) => {
  results.setAttribute("aria-busy", true);
  clearTimeout(pause);
  pause = setTimeout(() => liveSearch(event.target.value), 120);
});
search.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideResults();
});
search.querySelector("fieldset").disabled = false;
refreshHeader();
