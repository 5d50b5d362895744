import { api, byId, el, enable, money, say, takeForm } from "./shop.js";
import { showCartCount } from "./header.js";

const article = byId("product");
const slug = article.dataset.slug;

function stockLine(stock) {
  if (stock === 0) return "Sold out";
  return stock <= 3 ? `Only ${stock} left` : `${stock} in stock`;
}

function cartForm(product) {
  const quantity = el("input", { name: "quantity", type: "number", min: 1, value: 1 });
  const button = el("button", {}, "Add to cart");
  const form = el("form", { id: "cart-form", novalidate: true }, el("label", {}, "Quantity ", quantity), button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const cart = await api("POST", "cart/lines", { product_id: product.id, quantity: Number(quantity.value) });
      showCartCount(cart.count);
      say(form, "Added to your cart", "done");
    } catch (problem) {
      say(form, problem.message, "error");
    }
    button.disabled = false;
  });
  return form;
}

function wishButton(product) {
  let wished = product.wished;
  const button = el("button", { type: "button", id: "wish" });
  const label = () => (button.textContent = wished ? "Remove from wish list" : "Add to wish list");
  button.addEventListener("click", async () => {
    button.disabled = true;
    ({ wished } = await api(wished ? "DELETE" : "PUT", `wishes/${slug}`));
    label();
    button.disabled = false;
  });
  label();
  return button;
}

async function showProduct(signedIn) {
  const product = await api("GET", `products/${slug}`);
  article.replaceChildren(
    el("nav", { "aria-label": "Breadcrumb" },
      el("a", { href: `/catalogue?category=${product.category_slug}` }, product.category), " › ", product.name),
    el("h1", {}, product.name),
    el("p", {}, product.description),
    el("p", { class: "price" }, money(product.price_cents)),
    el("p", { class: "stock" }, stockLine(product.stock)),
    ...(product.stock > 0 ? [cartForm(product)] : []),
    ...(signedIn ? [wishButton(product)] : []));
}

async function showReviews() {
  const reviews = await api("GET", `products/${slug}/reviews`);
  const sum = reviews.reduce((total, review) => total + review.rating, 0);
  byId("rating").textContent = reviews.length ? `${(sum / reviews.length).toFixed(1)} of 5 stars from ${reviews.length}` : "No reviews yet";
  byId("reviews").replaceChildren(...reviews.map((review) =>
    el("li", { class: "review" }, el("strong", {}, `${review.rating} stars`), ` by ${review.author}: `, el("q", {}, review.body))));
}

const form = takeForm("review-form", async (values, form) => {
  await api("POST", `products/${slug}/reviews`, values);
  await showReviews();
  form.reset();
  return { say: "Thank you for your review" };
});

const me = await api("GET", "me");
await Promise.all([showProduct(Boolean(me.name)), showReviews()]);
form.hidden = !me.name;
enable(form);
