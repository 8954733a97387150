// An image of the catalogue that cannot be loaded gives way to the drawn cover.

function fallBack(image) {
  const drawn = image.dataset?.fallback;
  if (drawn) {
    delete image.dataset.fallback;
    image.src = drawn;
  }
}

function startCovers() {
  document.addEventListener("error", (event) => fallBack(event.target), true);
  for (const image of document.querySelectorAll("img[data-fallback]")) {
    if (image.complete && !image.naturalWidth) {
      fallBack(image);
    }
  }
}

startCovers();
