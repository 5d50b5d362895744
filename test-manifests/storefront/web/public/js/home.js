import { api, byId, card, el } from "./shop.js";

const [categories, products] = await Promise.all([api("GET", "categories"), api("GET", "new-arrivals")]);
byId("categories").replaceChildren(...categories.map((category) =>
  el("li", {}, el("a", { href: `/catalogue?category=${category.slug}` }, category.name))));
byId("new-arrivals").replaceChildren(...products.map(card));
