// Faults that can be planted, and whether their window is open right now. See README.md.
const names = (process.env.KANBAN_FAULTS ?? '').split(',').map((one) => one.trim().split('=')[0]).filter(Boolean);
let open = new Set();

// Whether there are any.
export const planted = () => names.length > 0;

export const isOpen = (name) => open.has(name);

export const setOpen = (which) => {
  open = new Set((which ?? []).filter((name) => names.includes(name)));
};
