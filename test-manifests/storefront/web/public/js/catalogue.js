// Categories, sorting and paging live in the address, so that a page can be bookmarked and sent to a friend.
import { api, byId, card, el, parameters } from "./shop.js";

function address(changes) {
  const query = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  return `/catalogue?${query}`;
}

function pageLink(text, number, possible) {
  return possible ? el("a", { href: address({ page: number }) }, text) : el("span", { class: "off" }, text);
}

async function showCategories() {
  const categories = [{ slug: "", name: "All" }, ...await api("GET", "categories")];
  const chosen = parameters.get("category") ?? "";
  byId("categories").replaceChildren(...categories.map(({ slug, name }) =>
    el("a", { href: address({ category: slug, page: null }), "aria-current": slug === chosen && "page" }, name)));
}

async function showProducts() {
  const listing = await api("GET", `products?${parameters}`);
  if (listing.category) byId("heading").textContent = listing.category;
  byId("summary").textContent = listing.total === 1 ? "1 product" : `${listing.total} products`;
  byId("products").replaceChildren(...listing.items.map(card));
  if (listing.total === 0) byId("products").append(el("li", {}, "Nothing here yet"));
  byId("pages").replaceChildren(
    pageLink("Previous", listing.page - 1, listing.page > 1),
    el("span", {}, `Page ${listing.page} of ${listing.pages}`),
    pageLink("Next", listing.page + 1, listing.page < listing.pages));
}

const sort = byId("sort");
sort.value = parameters.get("sort") ?? "name";
sort.addEventListener("change", () => location.assign(address({ sort: sort.value, page: null })));
sort.disabled = false;

try {
  await Promise.all([showCategories(), showProducts()]);
} catch (problem) {
  byId("summary").textContent = problem.message;
}
