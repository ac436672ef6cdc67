// Moves through the pictures. Everything that it shows stands in the page's data; nothing is loaded.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const slider = element("frame");
const strength = element("strength");
const canvas = element("map");
const context = canvas.getContext("2d");
const sheet = new Image();

function show() {
  const index = Number(slider.value);
  const frame = data.frames[index];
  const picture = "data:image/jpeg;base64," + data.pictures[index];
  element("picture").src = picture;
  element("under").src = picture;
  if (sheet.complete) {
    const column = index % data.across;
    const row = Math.floor(index / data.across);
    context.drawImage(sheet, column * canvas.width, row * canvas.height, canvas.width, canvas.height,
      0, 0, canvas.width, canvas.height);
  }
  element("said").textContent = frame.text;
  slider.setAttribute("aria-valuetext", frame.text);
  const place = frame.bar + 0.43;
  element("now").setAttribute("x1", place);
  element("now").setAttribute("x2", place);
}

function weigh() {
  canvas.style.opacity = strength.value / 100;
}

// The picture nearest to the bar that was pointed at.
function pick(event) {
  const box = element("bars").getBoundingClientRect();
  const bar = Math.floor((event.clientX - box.left) / box.width * data.bars);
  let nearest = 0;
  data.frames.forEach((frame, index) => {
    if (Math.abs(frame.bar - bar) < Math.abs(data.frames[nearest].bar - bar)) nearest = index;
  });
  slider.value = nearest;
  show();
}

slider.addEventListener("input", show);
strength.addEventListener("input", weigh);
element("bars").addEventListener("click", pick);
sheet.addEventListener("load", show);
sheet.src = "data:image/png;base64," + data.sheet;
weigh();
show();
