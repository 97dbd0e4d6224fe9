
"use strict";
// Nothing here is needed to read the page: tables sort, the map filters, the review is saved, print opens what is folded.
(() => {
  const number = (text) => {
    const value = Number(text.replace(/,/g, ""));
    return text.trim() === "" || Number.isNaN(value) ? null : value;
  };

  const order = (one, other) => {
    const [a, b] = [number(one), number(other)];
    if (a !== null && b !== null) return a - b;
    return one < other ? -1 : one > other ? 1 : 0;
  };

  const sort = (head, column) => {
    const body = head.closest("table").tBodies[0];
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = Array.from(body.rows);
    rows.sort((a, b) => {
      const [x, y] = [a, b].map((row) => row.cells[column].dataset.sort ?? row.cells[column].textContent);
      if ((x === "") !== (y === "")) return x === "" ? 1 : -1; // what is not known stands last, either way
      return (down ? -1 : 1) * order(x, y);
    });
    body.append(...rows);
  };

  for (const head of document.querySelectorAll("thead th")) {
    if (head.closest("table").tBodies[0].rows.length < 3) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(head, head.cellIndex));
  }

  const drawn = document.querySelectorAll("#map [data-cluster]");
  const names = Array.from(new Set(Array.from(drawn, (one) => one.dataset.cluster))).filter(Boolean);
  if (names.length > 1) {
    const box = document.createElement("fieldset");
    box.className = "filter";
    const legend = document.createElement("legend");
    legend.textContent = document.body.dataset.filter;
    box.append(legend);
    for (const name of names) {
      const label = document.createElement("label");
      const check = document.createElement("input");
      check.type = "checkbox";
      check.checked = true;
      check.addEventListener("change", () => {
        for (const one of drawn) if (one.dataset.cluster === name) one.classList.toggle("off", !check.checked);
      });
      label.append(check, " " + name);
      box.append(label);
    }
    document.querySelector("#map h2").after(box);
  }

  const form = document.getElementById("review");
  const button = document.getElementById("save");
  if (form && button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const reviews = Array.from(form.querySelectorAll("fieldset"), (row) => {
        const name = row.dataset.clusterId;
        const chosen = row.querySelector("input[type=radio]:checked");
        return { cluster_id: name, verdict: chosen ? chosen.value : null, note: row.querySelector(".note input").value };
      }).filter((one) => one.verdict !== null || one.note !== "");
      const record = {
        format: "propgraph-review-1", clusters: form.dataset.clusters, reviewer: form.elements.reviewer.value,
        date: new Date().toISOString().slice(0, 10), reviews,
      };
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([JSON.stringify(record, null, 1)], { type: "application/json" }));
      link.download = "review.json";
      link.click();
      URL.revokeObjectURL(link.href);
      document.getElementById("saved").textContent = reviews.length + " " + document.body.dataset.saved;
    });
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll("details:not([open])"));
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
})();
