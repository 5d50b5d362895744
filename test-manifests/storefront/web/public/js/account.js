// Signing up, signing in, and the account's own page.
import { api, byId, enable, fillAndEnable, parameters, takeForm } from "./shop.js";
import { refreshHeader } from "./header.js";

// Only addresses of our own: a link with ?next=//elsewhere must not lead away after the sign-in.
function next() {
  const wanted = parameters.get("next") ?? "/";
  return /^\/(?!\/)/.test(wanted) ? wanted : "/";
}

for (const id of ["sign-up", "sign-in"]) {
  enable(takeForm(id, async (values) => {
    await api("POST", id, values);
    return { leave: next() };
  }));
}

if (byId("address-form")) {
  const name = takeForm("name-form", async (values) => {
    await api("PUT", "account/name", values);
    await refreshHeader();
    return { say: "Name saved" };
  });
  const address = takeForm("address-form", async (values) => {
    await api("PUT", "account/address", values);
    return { say: "Address saved" };
  });
  enable(takeForm("password-form", async (values, form) => {
    await api("PUT", "account/password", values);
    form.reset();
    return { say: "Password changed" };
  }));
  const account = await api("GET", "account");
  fillAndEnable(name, account);
  fillAndEnable(address, account);
}
