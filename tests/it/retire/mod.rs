//! Switching off, switching on again and deleting, with the real program against the simulated IAM
//! and forge: what is refused and leaves no write behind, what is done, and what doing it twice gives.

mod delete;
mod doctor;
mod switch_off;
mod way_back;
mod world;
