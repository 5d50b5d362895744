document.addEventListener("click", async (event) => {
  const button = event.target
  if (button.matches(".like")) {
    button.disabled = true
    const answer = await fetch(button.dataset.url, { method: "POST" })
    const { likes } = await answer.json()
    button.closest(".entry").querySelector(".likes").textContent = likes
    button.disabled = false
  }
  if (button.matches(".delete") && !confirm("Delete this entry?")) event.preventDefault()
})

document.addEventListener("input", (event) => {
  const left = document.querySelector("#left")
  if (left && event.target.matches("textarea")) left.textContent = `${500 - event.target.value.length} characters left`
})
