// The administrators' pages. Each part starts only on the page that has its elements.
import { api, byId, el, enable, fillAndEnable, money, takeForm } from "./shop.js";
import { refreshHeader } from "./header.js";

async function listProducts(filter) {
  let latest = 0;
  const draw = async () => {
    const mine = ++latest;
    byId("products").setAttribute("aria-busy", true);
    const products = await api("GET", `admin/products?q=${encodeURIComponent(filter.value)}`);
    if (mine !== latest) return;
    byId("products").replaceChildren(...products.map((product) =>
      el("tr", {},
        el("td", {}, el("a", { href: `/admin/products/${product.id}` }, product.name)),
        el("td", {}, money(product.price_cents)),
        el("td", {}, product.stock),
        el("td", {}, product.visible ? "yes" : "no"))));
    byId("products").setAttribute("aria-busy", false);
  };
  filter.addEventListener("input", draw);
  filter.disabled = false;
  await draw();
}

async function editProduct() {
  const id = byId("product-form").dataset.id;
  const isNew = id === "new";
  const form = takeForm("product-form", async (values, form) => {
    const product = {
      name: values.name, category_id: Number(values.category_id), description: values.description,
      price_cents: Math.round(Number(values.price) * 100), stock: Number(values.stock), visible: form.elements.visible.checked,
    };
    const saved = await api(isNew ? "POST" : "PUT", isNew ? "admin/products" : `admin/products/${id}`, product);
    return isNew ? { leave: `/admin/products/${saved.id}` } : { say: "Product saved" };
  });
  const delivery = takeForm("delivery-form", async (values, delivery) => {
    const product = await api("POST", `admin/products/${id}/delivery`, values);
    form.elements.stock.value = product.stock;
    delivery.reset();
    return { say: `Now ${product.stock} in stock` };
  });
  const categories = await api("GET", "admin/categories");
  form.elements.category_id.replaceChildren(...categories.map((category) => el("option", { value: category.id }, category.name)));
  if (isNew) return enable(form);
  const product = await api("GET", `admin/products/${id}`);
  fillAndEnable(form, { ...product, price: (product.price_cents / 100).toFixed(2) });
  enable(delivery);
}

async function listOrders(status) {
  const row = (order) => {
    const step = (name, label) => el("button", {
      type: "button",
      onclick: async (event) => {
        for (const button of event.target.parentElement.children) button.disabled = true;
        const changed = await api("POST", `admin/orders/${order.number}/${name}`);
        tableRow.replaceWith(row(changed));
      },
    }, label);
    const tableRow = el("tr", {},
      el("td", {}, order.number), el("td", {}, order.recipient), el("td", {}, money(order.total_cents)), el("td", {}, order.status),
      el("td", {}, ...(order.status === "placed" ? [step("dispatch", "Dispatch"), step("cancel", "Cancel")] : [])));
    return tableRow;
  };
  const draw = async () => {
    status.disabled = true;
    byId("orders").replaceChildren(...(await api("GET", `admin/orders?status=${status.value}`)).map(row));
    status.disabled = false;
  };
  status.addEventListener("change", draw);
  await draw();
}

if (byId("filter")) await listProducts(byId("filter"));
if (byId("product-form")) await editProduct();
if (byId("status")) await listOrders(byId("status"));
if (byId("notice-form")) {
  const form = takeForm("notice-form", async (values) => {
    await api("PUT", "admin/notice", values);
    await refreshHeader();
    return { say: "Notice published" };
  });
  byId("take-down").addEventListener("click", async () => {
    await api("DELETE", "admin/notice");
    await refreshHeader();
  });
  enable(form);
}
