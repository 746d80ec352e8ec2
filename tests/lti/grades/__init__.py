"""Tests of grades: the tool that sends them, and the service that receives them."""
