// Shows the token once; a cookie that scripts cannot read shows it from then on.
"use strict";

document.getElementById("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = document.getElementById("token").value;
  const response = await fetch("/login", {
    method: "POST",
    headers: { "X-Fer": "1", "Content-Type": "text/plain" },
    body: token,
  });
  if (response.ok) {
    location.replace("/");
  } else {
    document.getElementById("wrong").textContent = "This is not the token.";
  }
});
