"""The whole product on one machine, over real parts."""
