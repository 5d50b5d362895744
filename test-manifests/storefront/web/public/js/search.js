import { api, byId, card, el, parameters } from "./shop.js";

const words = parameters.get("q") ?? "";
const products = await api("GET", `search?all=1&q=${encodeURIComponent(words)}`);
byId("heading").textContent = `${products.length === 1 ? "1 result" : `${products.length} results`} for “${words}”`;
byId("products").replaceChildren(...products.map(card));
if (products.length === 0) byId("products").append(el("li", {}, "Nothing found. Try fewer words."));
