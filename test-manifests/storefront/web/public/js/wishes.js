import { api, byId, card, el } from "./shop.js";

const wishes = await api("GET", "wishes");
byId("wishes").replaceChildren(...wishes.map(card));
if (wishes.length === 0) byId("wishes").append(el("li", {}, "Nothing on your wish list yet"));
