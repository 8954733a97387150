def engine_status() -> dict[str, str]:
    return {}
