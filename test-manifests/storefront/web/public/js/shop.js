// What every page needs: the JSON API, elements, forms, money.

export async function api(method, path, body) {
  const response = await fetch(`/api/${path}`, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export const money = (cents) => `£${(cents / 100).toFixed(2)}`;
export const byId = (id) => document.getElementById(id);
export const parameters = new URLSearchParams(location.search);

// el("a", { href: "/" }, "Home"): text goes in as text, so nothing that a customer wrote becomes markup.
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

export function card(product) {
  return el("li", { class: "card" },
    el("a", { href: `/products/${product.slug}` }, product.name),
    el("span", { class: "price" }, money(product.price_cents)),
    product.stock === 0 && el("span", { class: "badge" }, "Sold out"));
}

export function say(form, text, kind) {
  form.querySelector(".message")?.remove();
  if (text) form.append(el("p", { class: `message ${kind}`, role: kind === "error" ? "alert" : "status" }, text));
}

// Forms come disabled and are enabled here: nobody can send one before its script is there to take it.
// While a request is under way the form is disabled again, so a second click does nothing.
export function takeForm(id, send, { guarded = true } = {}) {
  const form = byId(id);
  if (!form) return null;
  const fieldset = form.querySelector("fieldset");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form));
    if (guarded) fieldset.disabled = true;
    say(form, null);
    try {
      const done = await send(values, form);
      if (done?.leave) return void location.assign(done.leave); // stays disabled until the next page is there
      if (done?.say) say(form, done.say, "done");
    } catch (problem) {
      say(form, problem.message, "error");
    }
    fieldset.disabled = false;
  });
  return form;
}

export function enable(form) {
  if (form) form.querySelector("fieldset").disabled = false;
}

// Fills fields before the form is enabled, so that nothing typed is overwritten by a late answer.
export function fillAndEnable(form, values) {
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements[name];
    if (!field) continue;
    if (field.type === "checkbox") field.checked = value;
    else field.value = value ?? "";
  }
  enable(form);
}
