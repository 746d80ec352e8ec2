"""The consumer's side: the outcome service, the page that launches, and the cartridge that configures a tool."""
