// A form that the page posts by itself. Its button stays for browsers without scripts.
document.querySelector("form[data-submit]").submit();
